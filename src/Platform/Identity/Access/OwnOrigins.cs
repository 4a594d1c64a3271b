using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// Keeps other sites from acting for whoever is signed in. A browser adds the cookie by itself, but it also says where a request comes
/// from, and no page can make it lie: what changes something must come from this host or from <c>Stoa__CorsOrigins</c>.
/// </summary>
internal sealed class OwnOrigins(IOptions<StoaOptions> options)
{
    /// <exception cref="Failure">Forbidden: the request is not safe (GET and the like) and does not come from a page of ours.</exception>
    public void Check(HttpRequest request)
    {
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method)
            && !IsOurs(request))
        {
            throw new Failure(FailureKind.Forbidden, "foreign_origin", "The request does not come from a page of this site");
        }
    }

    // Only the authority is compared: behind a proxy that ends TLS we may not know the scheme. Without any word of the browser nobody
    // can tell, so that is refused too; programs have keys.
    private bool IsOurs(HttpRequest request) => request.Headers.Origin is [{ Length: > 0 } origin]
        ? options.Value.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && request.Host.HasValue
                && string.Equals(from.Authority, Authority(from.Scheme, request.Host), StringComparison.OrdinalIgnoreCase))
        : request.Headers.Origin.Count == 0 && request.Headers["Sec-Fetch-Site"] is ["same-origin"];

    private static string? Authority(string scheme, HostString host) =>
        Uri.TryCreate($"{scheme}://{host.Value}", UriKind.Absolute, out var own) ? own.Authority : null;
}
