import type { Attachment } from '@parley/client';
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../ui/dialog.js';
import { useMe } from './people.js';

const MAX_WIDTH = 300;
const MAX_HEIGHT = 320;

/** A picture of a message, in its final size from the start, so that nothing moves when it arrives. */
export function Picture({ attachment }: { attachment: Attachment }) {
  const { mediaId, name, width, height, state } = attachment;
  const [isLarge, setLarge] = useState(false);
  const small = useLink(mediaId, 'medium', state === 'ready');
  const scale = Math.min(MAX_WIDTH / (width ?? 4), MAX_HEIGHT / (height ?? 3), 1);
  const ratio = width && height ? `${width} / ${height}` : '4 / 3';
  const label = small ? `Picture ${name}, show it large` : `Picture ${name} is being prepared`;
  return (
    <>
      <button
        type="button"
        class="picture"
        style={{ width: width ? Math.round(width * scale) : MAX_WIDTH, aspectRatio: ratio }}
        aria-label={label}
        onClick={() => small && setLarge(true)}
      >
        {small ? (
          <img src={small} alt="" width={width ?? undefined} height={height ?? undefined} />
        ) : (
          <span class="shimmer" />
        )}
      </button>
      {isLarge && <Large attachment={attachment} onClose={() => setLarge(false)} />}
    </>
  );
}

function Large({
  attachment: { mediaId, name, width, height },
  onClose,
}: {
  attachment: Attachment;
  onClose: () => void;
}) {
  const link = useLink(mediaId, 'original', true);
  return (
    <Dialog title={name} class="picture-dialog" onClose={onClose}>
      {link && <img src={link} alt={name} width={width ?? undefined} height={height ?? undefined} />}
    </Dialog>
  );
}

/** A signed address for a while; asked for when it is ready to be shown. */
function useLink(mediaId: string, variant: 'original' | 'medium', ready: boolean): string | undefined {
  const { parley } = useMe();
  const [link, setLink] = useState<string>();
  useEffect(() => {
    if (!ready) return;
    let wanted = true;
    parley.api.mediaUrl(mediaId, variant).then(
      ({ url }) => wanted && setLink(url),
      () => undefined,
    );
    return () => void (wanted = false);
  }, [parley, mediaId, variant, ready]);
  return link;
}
