using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>
/// How one surface words a <see cref="Failure"/>. It belongs to a route group (as endpoint metadata) and to a path prefix
/// (for routes that do not exist), never to the host.
/// </summary>
public abstract class ErrorDialect
{
    /// <summary>Writes status, headers and body. Called only while the response has not started.</summary>
    public abstract Task WriteAsync(HttpContext context, Failure failure);

    /// <summary>The usual status of a kind; a dialect overrides what its surface does differently.</summary>
    public virtual int StatusOf(Failure failure) => failure.Kind switch
    {
        FailureKind.Invalid => StatusCodes.Status400BadRequest,
        FailureKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        FailureKind.Forbidden => StatusCodes.Status403Forbidden,
        FailureKind.NotFound => StatusCodes.Status404NotFound,
        FailureKind.MethodNotAllowed => StatusCodes.Status405MethodNotAllowed,
        FailureKind.Conflict => StatusCodes.Status409Conflict,
        FailureKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        FailureKind.UnsupportedMedia => StatusCodes.Status415UnsupportedMediaType,
        FailureKind.TooMany or FailureKind.Quota => StatusCodes.Status429TooManyRequests,
        FailureKind.Upstream => StatusCodes.Status502BadGateway,
        FailureKind.Overloaded or FailureKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        FailureKind.Timeout => StatusCodes.Status504GatewayTimeout,
        FailureKind.Internal => StatusCodes.Status500InternalServerError,
    };
}
