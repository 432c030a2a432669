import './demo.css';
import { mount } from '../ui/mount.js';
import { App } from './app.js';
import { installWires } from './wire.js';

installWires();
mount(<App />);
