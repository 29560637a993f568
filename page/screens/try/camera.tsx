/** Photographs from a camera: one frame of its picture. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../components/button.tsx';

/** By the name of the error of the browser. */
const REFUSALS: Readonly<Record<string, string>> = {
  NotAllowedError: 'The browser does not allow this page to use the camera. Allow it, or choose a file.',
  NotFoundError: 'The browser finds no camera. Connect one, or choose a file.',
  NotReadableError: 'The camera cannot be read. Another program may be using it.',
};

export interface CameraProps {
  readonly onPhoto: (photo: File) => void;
}

/** Shows nothing where browsers have no cameras for pages: without TLS, except on localhost. */
export function Camera({ onPhoto }: CameraProps): JSX.Element | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [problem, setProblem] = useState('');
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (stream === null) return;
    video.current!.srcObject = stream;
    // The camera is released when the picture is taken, or the screen is left.
    return () => {
      for (const track of stream.getTracks()) track.stop();
    };
  }, [stream]);
  const isMounted = useRef(true);
  useEffect(
    () => () => {
      isMounted.current = false;
    },
    [],
  );
  // The types of the DOM lack that it is absent from insecure contexts.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return null;

  async function open(): Promise<void> {
    setProblem('');
    try {
      const opened = await devices!.getUserMedia({ video: { facingMode: 'environment' } });
      if (isMounted.current) setStream(opened);
      else for (const track of opened.getTracks()) track.stop();
    } catch (error) {
      const { name, message } = error as DOMException;
      setProblem(REFUSALS[name] ?? `The camera cannot be opened: ${message}`);
    }
  }

  function take(): void {
    const { videoWidth: width, videoHeight: height } = video.current!;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d')!.drawImage(video.current!, 0, 0);
    canvas.toBlob((blob) => {
      if (blob !== null) onPhoto(new File([blob], 'photo.png', { type: 'image/png' }));
      setStream(null);
    });
  }

  return (
    <div class="stack">
      {stream && <video ref={video} class="try-camera" aria-label="Camera" autoplay playsInline muted />}
      <div class="actions">
        {stream ? (
          <>
            <Button onClick={take}>Take the picture</Button>
            <Button onClick={() => setStream(null)}>Close the camera</Button>
          </>
        ) : (
          <Button onClick={() => void open()}>Open the camera</Button>
        )}
        <span class="field-error" role="status">
          {problem}
        </span>
      </div>
    </div>
  );
}
