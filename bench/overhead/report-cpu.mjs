// Loaded before Parley (--import): tells the bench, when asked, how much processor time the process has used, in µs.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send(user + system);
});
process.channel.unref();
