using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Bytes could not be handed to the client any more.</summary>
internal sealed class ClientLeftException() : OperationCanceledException("The client left")
{
    /// <summary>Whether a call ended because its client is gone. The request's token may fire a moment after a write has told.</summary>
    public static bool Explains(Exception thrown, HttpContext context) =>
        context.RequestAborted.IsCancellationRequested
            || thrown is ClientLeftException or ConnectionResetException or ConnectionAbortedException;
}
