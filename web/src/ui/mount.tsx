import './base.css';
import { Component, type ComponentChildren, render } from 'preact';
import { Button } from './button.js';
import { LiveRegion } from './live-region.js';
import { applyTheme } from './theme.js';

/** Draws a page into `#app`. */
export function mount(page: ComponentChildren): void {
  applyTheme();
  const root = document.getElementById('app');
  if (!root) throw new Error('#app is missing');
  render(
    <Fallback>
      {page}
      <LiveRegion />
    </Fallback>,
    root,
  );
}

/** A fault of ours is shown with a way on, and no empty page. */
class Fallback extends Component<{ children: ComponentChildren }, { error: Error | undefined }> {
  override state = { error: undefined };

  static override getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state as { error: Error | undefined };
    if (!error) return this.props.children;
    return (
      <main class="crash" role="alert">
        <h1>This page has failed</h1>
        <p>{error.message}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          Load it again
        </Button>
      </main>
    );
  }
}
