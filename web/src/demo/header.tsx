import { useState } from 'preact/hooks';
import { Button, IconButton } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { ThemeToggle } from '../ui/theme-toggle.js';
import { Avatar } from './people.js';
import type { Person } from './person.js';
import { forgetWorld, type World } from './world.js';

interface Props {
  world: World;
  /** Who has no window open. */
  closed: readonly Person[];
  onAdd: (person: Person) => void;
  isProofShown: boolean;
  /** Absent where it has a tab. */
  onProof: (() => void) | undefined;
}

export function Header({ world, closed, onAdd, isProofShown, onProof }: Props) {
  const [isSharing, setSharing] = useState(false);
  const [isAdding, setAdding] = useState(false);
  return (
    <header class="top">
      <h1>
        <img src="/favicon.svg" alt="" width={26} height={26} />
        Parley
      </h1>
      <p>Several people, one real server.</p>
      {closed.length > 0 && (
        <Button kind="quiet" icon="people" onClick={() => setAdding(true)}>
          <span class="wide-only">Add a person</span>
          <span class="narrow-only">Add</span>
        </Button>
      )}
      {world.id !== undefined && (
        <Button kind="quiet" icon="copies" class="wide-only" onClick={() => setSharing(true)}>
          Open elsewhere
        </Button>
      )}
      {onProof && (
        <Button kind="quiet" icon="gauge" aria-pressed={isProofShown} onClick={onProof}>
          Break it
        </Button>
      )}
      <a class="button quiet wide-only" href="/docs">
        API
      </a>
      <ThemeToggle />
      {isSharing && <Share world={world} onClose={() => setSharing(false)} />}
      {isAdding && (
        <Dialog title="Whose window?" onClose={() => setAdding(false)}>
          <ul class="choices">
            {closed.map((person) => (
              <li key={person.id}>
                <Button
                  kind="quiet"
                  onClick={() => {
                    setAdding(false);
                    onAdd(person);
                  }}
                >
                  <Avatar userId={person.id} size={32} /> {person.user.displayName}
                </Button>
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </header>
  );
}

function Share({ world, onClose }: { world: World; onClose: () => void }) {
  const address = `${location.origin}/#world=${world.id ?? ''}`;
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(address).then(
      () => setCopied(true),
      () => undefined,
    );
  return (
    <Dialog title="The same people, elsewhere" onClose={onClose}>
      <p class="about">Another browser, or a phone in this network, meets them at this address.</p>
      <div class="share">
        <input
          class="field"
          readOnly
          value={address}
          aria-label="Address"
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
        <IconButton
          icon={isCopied ? 'check' : 'copies'}
          label={isCopied ? 'Copied' : 'Copy'}
          onClick={() => void copy()}
        />
      </div>
      <div class="dialog-actions">
        <Button
          onClick={() => {
            forgetWorld();
            location.reload();
          }}
        >
          Begin with new people
        </Button>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
