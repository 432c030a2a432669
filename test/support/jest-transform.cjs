const { createTransformer } = require('@swc/jest');

const shared = { sourceMaps: 'inline', module: { type: 'commonjs', importInterop: 'node' } };
const typescript = createTransformer({
  ...shared,
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    keepClassNames: true,
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
});
const javascript = createTransformer({ ...shared, jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } } });
/** The default export of a module in module syntax is what it says; `node` would take all exports of what it has become. */
const moduleDefaults = createTransformer({
  ...shared,
  module: { type: 'commonjs', importInterop: 'swc' },
  jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } },
});
const defaultsAmongModules = /node_modules\/pg-boss\//;
const moduleSyntax = /^\s*(import|export)[\s{*'"]|import\.meta|\bimport\s*\(/m;

/** TypeScript always; JavaScript only where it contains module syntax. */
const pick = (source, file) => {
  if (/\.m?ts$/.test(file)) return typescript;
  if (!moduleSyntax.test(source)) return null;
  return defaultsAmongModules.test(file) ? moduleDefaults : javascript;
};

module.exports = {
  canInstrument: false,
  getCacheKey: (source, file, options) => (pick(source, file) ?? javascript).getCacheKey(source, file, options),
  process(source, file, options) {
    const transformer = pick(source, file);
    return transformer ? transformer.process(source, file, options) : { code: source };
  },
};
