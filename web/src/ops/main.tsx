import './ops.css';
import { useState } from 'preact/hooks';
import { mount } from '../ui/mount.js';
import { Page } from './page.js';
import { OperatorContext } from './resource.js';
import { Operator } from './session.js';
import { SignIn } from './sign-in.js';

function Operations() {
  const [ended, setEnded] = useState(false);
  const [operator, setOperator] = useState<Operator | undefined>(() => Operator.resume(() => leave(true)));

  const leave = (byServer: boolean) => {
    setEnded(byServer);
    setOperator(undefined);
  };
  if (!operator) return <SignIn ended={ended} onEnd={() => leave(true)} onSignedIn={setOperator} />;
  const signOut = () => {
    operator.signOut();
    leave(false);
  };
  return (
    <OperatorContext.Provider value={operator}>
      <Page onSignOut={signOut} />
    </OperatorContext.Provider>
  );
}

mount(<Operations />);
