// The core that is deployed: what `import core from "core.wasm"` means by default (wrangler.toml, [alias]).
export { default } from "../build/wasi/sync_manager.wasm";
