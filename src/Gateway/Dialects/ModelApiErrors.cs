using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>What the vendors' dialects share: how an error is sent, and <c>x-should-retry</c>, which their clients obey.</summary>
internal abstract class ModelApiErrors : ErrorDialect
{
    public sealed override async Task WriteAsync(HttpContext context, Failure failure)
    {
        var response = context.Response;
        var buffer = new ArrayBufferWriter<byte>(256);
        Write(failure, context.RequestId(), buffer, response.Headers);
        response.StatusCode = StatusOf(failure);
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        response.Headers["x-should-retry"] = IsRetryable(failure) ? "true" : "false";
        if (failure.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        await response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Writes the body, and the headers that only this vendor has.</summary>
    protected abstract void Write(Failure failure, string requestId, IBufferWriter<byte> output, IHeaderDictionary headers);

    private static bool IsRetryable(Failure failure) => failure.Kind switch
    {
        FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.Unavailable or FailureKind.Conflict => true,
        FailureKind.Upstream => failure.Code != "upstream_authentication",
        FailureKind.Invalid or FailureKind.Unauthenticated or FailureKind.Forbidden or FailureKind.NotFound or FailureKind.MethodNotAllowed
            or FailureKind.TooLarge or FailureKind.UnsupportedMedia or FailureKind.Quota or FailureKind.Internal => false,
    };
}
