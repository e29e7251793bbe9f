// wrangler.toml maps this name to the built module (an alias), and compiles it when the Worker is loaded.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
