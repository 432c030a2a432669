import { DomainError } from '../../platform/errors/domain-error.js';

export const notRestartable = () =>
  new DomainError('invalid_state', { detail: 'Nobody would start this process again: start it by npm start' });
