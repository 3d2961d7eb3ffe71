/**
 * `node:http`, asked for as CommonJS does. An `import` of it reads every member, and one of them is WebSocket, for which Node
 * loads an undici of its own: 2.7 MB of heap, and 16 MB of memory at the start.
 */
const { createServer, request: httpRequest } = process.getBuiltinModule('node:http')

export { createServer, httpRequest }
