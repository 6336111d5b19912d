/// <reference types="vite/client" />
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<object, object, unknown>
  export default component
}
/** The address that a mini-program calls; a browser calls where it came from. */
declare const __LINLI_API__: string
