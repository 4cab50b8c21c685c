"""
OpenStack Swift with its S3 interface, all four servers in one process, as Swift's own functional tests run them: real
signatures, real multipart uploads, everything below one folder. `test/support/swift.ts` starts it:

    swift-server.py <folder> <access key> <secret key>

prints `ready <port>` once it answers, and ends with the process that started it.
"""
import ctypes
import os
import signal
import sys

folder, access_key, secret_key = sys.argv[1:]
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)

# Swift reads this file while it is imported, so it must be there before.
with open(os.path.join(folder, 'swift.conf'), 'w') as conf:
    conf.write('[swift-hash]\nswift_hash_path_suffix = test\n')

from swift.common import utils  # noqa: E402

utils.set_swift_dir(folder)

import eventlet  # noqa: E402
from eventlet import wsgi  # noqa: E402
from eventlet.event import Event  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

eventlet.hubs.use_hub(utils.get_hub())
utils.eventlet_monkey_patch()

account, user = access_key.split(':')
DEFAULTS = f"""[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
log_level = CRITICAL
"""
BACKEND = "[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
PROXY = f"""[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret_key} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


class Forgetful:
    """Stands where Swift wants a memcached, and remembers nothing."""

    def get(self, *_, **__):
        return None

    def set(self, *_, **__):
        return None

    incr = decr = delete = get


def with_cache(app):
    def call(environ, start_response):
        environ['swift.cache'] = Forgetful()
        return app(environ, start_response)

    return call


def serve(socket, conf_name, text):
    path = os.path.join(folder, conf_name)
    with open(path, 'w') as conf:
        conf.write(DEFAULTS + text)
    app = loadapp(path, global_conf={'log_name': conf_name})
    eventlet.spawn(wsgi.server, socket, with_cache(app), log_output=False, protocol=SwiftHttpProtocol, debug=False)


def write_ring(kind, port):
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    device = {'id': 0, 'region': 1, 'zone': 1, 'weight': 1.0, 'device': 'one', 'ip': '127.0.0.1', 'port': port}
    builder.add_dev({**device, 'replication_ip': '127.0.0.1', 'replication_port': port})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, f'{kind}.ring.gz'))


os.makedirs(os.path.join(folder, 'devices', 'one'))
for kind in ('account', 'container', 'object'):
    listening = eventlet.listen(('127.0.0.1', 0))
    write_ring(kind, listening.getsockname()[1])
    serve(listening, f'{kind}.conf', BACKEND.format(kind=kind))
front = eventlet.listen(('127.0.0.1', 0))
serve(front, 'proxy.conf', PROXY)
print('ready', front.getsockname()[1], flush=True)
Event().wait()
