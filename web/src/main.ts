import { mount } from 'svelte';
import App from './App.svelte';
import './style/base.css';
import './style/list.css';
import './style/tokens.css';

mount(App, { target: document.getElementById('app')! });
