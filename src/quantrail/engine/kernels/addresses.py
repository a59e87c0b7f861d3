"""Arrays a plan names by their address in memory, so that no batch has to copy its signals together."""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array


@intrinsic
def words_at(typingctx, address, like):
    """The array at ``address``, of the type, shape and layout of ``like``; ``like`` itself where negative.

    Nothing is counted or checked: whoever passes an address keeps its array alive and C-contiguous.
    """

    def generate(context, builder, signature, args):
        array = make_array(signature.return_type)
        known = array(context, builder, args[1])
        found = array(context, builder)
        absent = builder.icmp_signed("<", args[0], ir.Constant(args[0].type, 0))
        data = builder.select(absent, known.data, builder.inttoptr(args[0], known.data.type))
        populate_array(
            found, data=data, shape=known.shape, strides=known.strides, itemsize=known.itemsize, meminfo=None
        )
        return found._getvalue()

    return like(types.int64, like), generate


@njit(types.int64(types.uint64[:, ::1]), cache=True, _nrt=False)
def address_of(words):
    """Where C-contiguous ``words`` lie; TypeError for any other layout. Cheaper than ``ctypes``."""
    return words.ctypes.data
