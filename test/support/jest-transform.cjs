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
const moduleSyntax = /^\s*(import|export)[\s{*'"]|import\.meta|\bimport\s*\(/m;

/** TypeScript always; JavaScript only where it contains module syntax. */
const pick = (source, file) => (/\.m?ts$/.test(file) ? typescript : moduleSyntax.test(source) ? javascript : null);

module.exports = {
  canInstrument: false,
  getCacheKey: (source, file, options) => (pick(source, file) ?? javascript).getCacheKey(source, file, options),
  process(source, file, options) {
    const transformer = pick(source, file);
    return transformer ? transformer.process(source, file, options) : { code: source };
  },
};
