import { writeProgramImage } from './program-image.ts';

/** The image of every pod's first container, which holds the pod's namespaces. */
export const pauseImage = 'localhost/pause:1';

/** Packs the program into an image. */
export const writePauseImage = (program: string, file: string): Promise<void> =>
  writeProgramImage({ name: pauseImage, program, user: 65_535 }, file);
