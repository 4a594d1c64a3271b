using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

internal static class RequestAddress
{
    /// <summary>
    /// False where the <c>Host</c> header is absent or names no host. A page cannot be shown then: it must know its own address.
    /// </summary>
    public static bool HasAddress(this HttpRequest request)
    {
        try
        {
            return request.Host.HasValue && Uri.TryCreate($"{request.Scheme}://{request.Host.Value}/", UriKind.Absolute, out _);
        }
        catch (ArgumentException)
        {
            // The framework decodes Punycode when it is asked for the host.
            return false;
        }
    }
}
