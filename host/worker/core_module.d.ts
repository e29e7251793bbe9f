// The Worker is loaded with WebAssembly that is compiled already.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

// wrangler.toml maps this name (an alias) to the built module and the texts of its statements.
declare module "core" {
  export const module: WebAssembly.Module;
  export const statements: import("../shared/store/store.ts").StatementTable;
}
