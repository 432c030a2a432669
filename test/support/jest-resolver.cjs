// Relative imports end in .js (nodenext); under Jest they mean the .ts beside it. Not a moduleNameMapper: that would
// rewrite imports inside node_modules as well.
module.exports = (path, options) =>
  options.defaultResolver(path, {
    ...options,
    extensionAlias: { '.js': ['.ts', '.js'], '.mjs': ['.mts', '.mjs'] },
  });
