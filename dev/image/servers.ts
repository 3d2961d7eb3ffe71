/**
 * Stand-ins for the images of Kafka and the schema registry in docker-compose.yml: the programs of the local stack on
 * Debian's Java. They take the same variables, listen on the same ports and answer the same health checks.
 */
import { chmod, cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { providePrograms, type Programs } from '../stack/programs.ts'
import { unpackDebian } from '../tools/install.ts'
import { addShell, fingerprint, hasAll, inScratch, LIBRARIES, pack, REPOSITORY, setUpRoot } from './bases.ts'
import type { Engine } from './engine.ts'

/** Their tags, by service name. */
export interface Servers {
  readonly kafka: string
  readonly registry: string
}

const PATHS = 'ENV PATH=/usr/local/bin:/usr/bin:/bin'
const HERE = new URL('stand-ins/', import.meta.url)
const POM = fileURLToPath(new URL('../pom.xml', import.meta.url))
const LOG_CONFIG = new URL('../stack/kafka-log4j2.properties', import.meta.url)

/** Throws a StackError or a ToolError if a part of them is not available. */
export async function provideServers(engine: Engine, report: (line: string) => void): Promise<Servers> {
  const programs = await providePrograms(report)
  const scripts = (await readdir(HERE)).toSorted((a, b) => a.localeCompare(b))
  const made = [import.meta.filename, POM, ...scripts.map((name) => fileURLToPath(new URL(name, HERE)))]
  const version = await fingerprint(made)
  const servers = { kafka: `${REPOSITORY}/kafka:${version}`, registry: `${REPOSITORY}/registry:${version}` }
  if (await hasAll(engine, Object.values(servers))) return servers
  report('Packing Kafka and the schema registry as images (once) ...')
  await packKafka(engine, servers.kafka, programs)
  await packRegistry(engine, servers.registry, programs)
  return servers
}

async function packKafka(engine: Engine, tag: string, { kafkaDir }: Programs): Promise<void> {
  await inScratch(async (root) => {
    await setUpJava(root)
    await cp(kafkaDir, join(root, 'opt/kafka/libs'), { recursive: true })
    for (const directory of ['config', 'logs', 'bin']) await mkdir(join(root, 'opt/kafka', directory))
    await cp(LOG_CONFIG, join(root, 'opt/kafka/config/log4j2.properties'))
    await addScript(root, 'kafka-run.sh', 'etc/kafka/docker/run')
    await addScript(root, 'kafka-topics.sh', 'opt/kafka/bin/kafka-topics.sh')
    const data = join(root, 'var/lib/kafka/data')
    await mkdir(data, { recursive: true })
    for (const directory of [data, join(root, 'opt/kafka/config'), join(root, 'opt/kafka/logs')])
      await chmod(directory, 0o777)
    await pack(engine, {
      root,
      tag,
      config: [PATHS, 'USER 1000:1000', 'VOLUME ["/var/lib/kafka/data"]', 'CMD ["/etc/kafka/docker/run"]'],
    })
  })
}

/** Debian's Java, where both programs find it. */
async function setUpJava(root: string): Promise<void> {
  await unpackDebian([...LIBRARIES, 'zlib1g', 'openjdk-17-jre-headless'], root)
  await setUpRoot(root)
  await addShell(root)
  const homes = await readdir(join(root, 'usr/lib/jvm'))
  const home = homes.find((name) => name.startsWith('java-17-'))
  await symlink(`/usr/lib/jvm/${home}/bin/java`, join(root, 'usr/bin/java'))
}

async function addScript(root: string, name: string, path: string): Promise<void> {
  const to = join(root, path)
  await mkdir(dirname(to), { recursive: true })
  await cp(new URL(name, HERE), to)
  await chmod(to, 0o755)
}

async function packRegistry(engine: Engine, tag: string, { registryDir }: Programs): Promise<void> {
  await inScratch(async (root) => {
    await setUpJava(root)
    await cp(registryDir, join(root, 'deployments'), { recursive: true })
    await addScript(root, 'registry-run.sh', 'usr/local/bin/run')
    await addScript(root, 'curl.sh', 'usr/local/bin/curl')
    await pack(engine, {
      root,
      tag,
      config: [PATHS, 'USER 1001:0', 'CMD ["run"]'],
    })
  })
}
