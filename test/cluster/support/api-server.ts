/**
 * Starts a Kubernetes API server and its etcd on free loopback ports. Admission and validation are real, but no
 * controller or kubelet runs pods.
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provideHelm } from '../../../dev/tools/helm.ts'
import { call } from '../../../dev/tools/install.ts'
import { provideKubernetes } from '../../../dev/tools/kubernetes.ts'
import { pickPort } from '../../../dev/stack/ports.ts'
import { Server } from '../../../dev/stack/server.ts'

const TOKEN = 'fictitious-token'

export interface ApiServer {
  readonly kubectl: (args: readonly string[]) => Promise<string>
  readonly helm: (args: readonly string[]) => Promise<string>
  readonly stop: () => Promise<void>
}

export async function startApiServer(): Promise<ApiServer> {
  const [{ helm, kubectl }, { apiServer, etcd }] = await Promise.all([provideHelm(), provideKubernetes()])
  const directory = await mkdtemp(join(tmpdir(), 'checkresult-cluster-'))
  const [clientPort, peerPort, port] = [await pickPort(), await pickPort(), await pickPort()]
  const env = { KUBECONFIG: join(directory, 'kubeconfig'), HELM_CACHE_HOME: join(directory, 'helm') }
  await writeFiles(directory, port)
  const common = {
    cwd: directory,
    scratchDir: directory,
    onCrash: (message: string) => process.stderr.write(message),
  }
  const store = new Server({
    ...common,
    name: 'etcd',
    command: etcd,
    args: etcdArgs(directory, `http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`),
    logFile: join(directory, 'etcd.log'),
    listening: /ready to serve client requests|serving client traffic|serving insecure client requests/,
    probe: async () => {
      const { ok } = await fetch(`http://127.0.0.1:${clientPort}/health`)
      if (!ok) throw new Error('etcd is not healthy yet.')
    },
  })
  const server = new Server({
    ...common,
    name: 'kube-apiserver',
    command: apiServer,
    args: serverArgs(directory, port, `http://127.0.0.1:${clientPort}`),
    logFile: join(directory, 'api-server.log'),
    listening: /Serving securely/,
    probe: async () => {
      await call(kubectl, ['get', '--raw', '/readyz'], { env })
    },
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await store.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await store.start()
    await server.start()
  } catch (error) {
    await stop()
    throw error
  }
  return { kubectl: (args) => call(kubectl, args, { env }), helm: (args) => call(helm, args, { env }), stop }
}

async function writeFiles(directory: string, port: number): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await mkdir(join(directory, 'helm'))
  await writeFile(join(directory, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }))
  await writeFile(join(directory, 'tokens.csv'), `${TOKEN},admin,1,system:masters\n`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'test', user: { token: TOKEN } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  await writeFile(join(directory, 'kubeconfig'), JSON.stringify(config), { mode: 0o600 })
}

function etcdArgs(directory: string, client: string, peer: string): string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ]
}

function serverArgs(directory: string, port: number, etcd: string): string[] {
  const key = join(directory, 'sa.key')
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(directory, 'certificates')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/24',
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--endpoint-reconciler-type=none',
  ]
}
