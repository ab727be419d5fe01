import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';

// Has to run before any schema is made, so every schema takes `z` from this file.
extendZodWithOpenApi(z);

export { z };
