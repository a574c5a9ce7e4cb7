// The pages of administrators, as the rail and the tabs on narrow screens list them.
import type { IconName } from '../part/Icon.svelte';
import type { RouteName } from './route';
import { session } from './session.svelte';

export interface AdminPage {
  to: RouteName;
  label: string;
  icon: IconName;
  shown: boolean;
}

/** adminPages lists them with what this user sees of them. */
export function adminPages(): AdminPage[] {
  return [
    { to: 'users', label: 'Users', icon: 'users', shown: session.can('AdminsRead') },
    { to: 'roles', label: 'Roles', icon: 'shield', shown: session.can('AdminsRead') },
    { to: 'tokens', label: 'Tokens', icon: 'token', shown: session.can('TokensRead') },
    { to: 'audit', label: 'Audit', icon: 'book', shown: session.can('AuditRead') },
  ];
}
