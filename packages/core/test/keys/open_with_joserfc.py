"""Opens JWEs with joserfc in its strict mode. Standard input: JSON lines {"jwe", "key"}; output: {"text", "header"}."""

import json
import sys

from joserfc import jwe
from joserfc.jwk import OctKey

for line in sys.stdin:
    request = json.loads(line)
    key = OctKey.import_key(request["key"])
    opened = jwe.decrypt_compact(request["jwe"], key, algorithms=["dir", "A256GCM"])
    print(json.dumps({"text": opened.plaintext.decode(), "header": opened.protected}))
