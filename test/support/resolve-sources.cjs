// Jest loads global setup and teardown with Node's own resolver, which does not know that "./x.js" is "./x.ts" here.
const { registerHooks } = require('node:module');

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
      return next(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});
