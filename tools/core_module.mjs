// The core that is deployed, with the texts of its statements: what `import … from "core"` means by default
// (wrangler.toml, [alias]). Both come from one build folder, so that they mean the same by a statement's number.
export { default as statements } from "../build/wasi/generated/store/statements.sqlite.json";
export { default as module } from "../build/wasi/sync_manager.wasm";
