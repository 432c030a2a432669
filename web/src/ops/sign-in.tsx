import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { ThemeToggle } from '../ui/theme-toggle.js';
import { textOf } from './format.js';
import { Operator, ParleyError } from './session.js';

interface SignInProps {
  onEnd: () => void;
  onSignedIn: (operator: Operator) => void;
  /** The last sign-in ran out. */
  ended: boolean;
}

const explain = (error: unknown): string =>
  error instanceof ParleyError && error.status > 0
    ? error.problem.detail
    : 'Parley does not answer. Is it running, and is the network there?';

export function SignIn({ onEnd, onSignedIn, ended }: SignInProps) {
  const [byToken, setByToken] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(ended ? 'The sign-in has ended. Please sign in again.' : undefined);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string) => textOf(form, name);
    setBusy(true);
    setFault(undefined);
    try {
      const operator = byToken
        ? Operator.withToken(field('token'), onEnd)
        : await Operator.signIn(field('identifier'), field('password'), onEnd);
      onSignedIn(operator);
    } catch (error) {
      setFault(explain(error));
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <div class="card-head">
          <h1 id="sign-in-title">Parley operations</h1>
          <ThemeToggle />
        </div>
        <p class="muted">For people who run this installation. The sign-in ends with this tab.</p>
        {fault !== undefined && (
          <p class="notice bad" role="alert">
            {fault}
          </p>
        )}
        {byToken ? (
          <label>
            Access token or probe token
            <input class="field" name="token" type="password" autocomplete="off" required />
          </label>
        ) : (
          <>
            <label>
              E-mail address or name
              <input class="field" name="identifier" autocomplete="username" required />
            </label>
            <label>
              Password
              <input class="field" name="password" type="password" autocomplete="current-password" required />
            </label>
          </>
        )}
        <Button kind="primary" type="submit" disabled={busy}>
          {busy ? 'Signing in' : 'Sign in'}
        </Button>
        <Button kind="quiet" onClick={() => setByToken(!byToken)}>
          {byToken ? 'Use a password instead' : 'Use a token instead'}
        </Button>
      </form>
    </main>
  );
}
