/**
 * Loads `node:http` the way CommonJS does. An `import` would evaluate every member including WebSocket, for which Node
 * loads its own copy of undici: 2.7 MB of heap and 16 MB of memory at startup.
 */
const { createServer, request: httpRequest } = process.getBuiltinModule('node:http')

export { createServer, httpRequest }
