/** undici's Pool by itself. Its index brings fetch, WebSocket and caches along, 6 MB of a process that has 90. */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
