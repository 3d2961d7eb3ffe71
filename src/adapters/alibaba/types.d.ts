// Two files of undici instead of its index, which also loads fetch, caches, WebSockets and mocks: 2.5 MB of heap, 5
// MB of memory.
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici'
}

declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici'
}
