using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Egress;

/// <summary>The addresses of a host name, as the name service says at this moment.</summary>
public delegate Task<IPAddress[]> HostResolver(string host, CancellationToken ct);

/// <summary>
/// Judges addresses that users gave. The text is judged first; the resolved address is judged where the connection is made, and the
/// very address that was judged is connected to, so that a name which changes its answer gains nothing.
/// </summary>
public sealed class AddressGuard(IOptions<EgressOptions> options, HostResolver resolve)
{
    private const int MaxLength = 8192;

    private readonly AllowedPlace[] allowed =
        [.. EgressOptionsValidator.Split(options.Value.Allow).Select(AllowedPlace.Parse).OfType<AllowedPlace>()];

    private readonly HashSet<int> ports =
        [.. EgressOptionsValidator.Split(options.Value.Ports).Select(port => int.Parse(port, CultureInfo.InvariantCulture))];

    /// <summary>The URL in its one normal spelling; fails with <c>url_not_allowed</c> for what may never be asked.</summary>
    /// <param name="from">Where a relative URL (a redirect's) starts.</param>
    public Uri Check(string url, Uri? from = null)
    {
        // What parsers disagree about is refused instead of guessed: backslashes, spaces, control characters.
        if (url.Length > MaxLength
            || url.Any(c => c is '\\' or <= ' ' or '\u007f')
            || !(from is null ? Uri.TryCreate(url, UriKind.Absolute, out var uri) : Uri.TryCreate(from, url, out uri))
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.UserInfo.Length > 0
            || HasUserInfo(uri.OriginalString)
            || HostName.Normalize(uri.Host) is not { } host)
        {
            throw NotAllowed();
        }
        if (IPAddress.TryParse(host, out var address) && !Permits(host, address, uri.Port))
        {
            throw NotAllowed();
        }
        return new UriBuilder(uri) { Host = host, Fragment = "" }.Uri;
    }

    /// <summary>A handler for long-lived clients of user-given base URLs: connections are guarded, redirects not followed.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, ct),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        AutomaticDecompression = DecompressionMethods.All,
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy would connect for us, unjudged; trace headers are nobody else's business.
        UseProxy = false,
        ActivityHeadersPropagator = null,
    };

    internal static Failure NotAllowed() => new(FailureKind.Invalid, "url_not_allowed", "url not allowed");

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken ct)
    {
        var addresses = await AddressesAsync(target.Host, target.Port, ct);
        return await Connections.ConnectAsync(socket => socket.ConnectAsync(addresses, target.Port, ct));
    }

    private async Task<IPAddress[]> AddressesAsync(string name, int port, CancellationToken ct)
    {
        var host = HostName.Normalize(name) ?? throw NotAllowed();
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, ct);
        // One bad record spoils the name: an honest host has no reason to mix public and internal addresses.
        return addresses.All(address => Permits(host, address, port)) ? addresses : throw NotAllowed();
    }

    private bool Permits(string host, IPAddress address, int port) =>
        (ports.Contains(port) && PublicAddress.IsPublic(address)) || allowed.Any(place => place.Covers(host, address, port));

    // Uri.UserInfo is empty for "http://@host/".
    private static bool HasUserInfo(string url)
    {
        var start = url.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = url.AsSpan(start).IndexOfAny("/?#");
        return (end < 0 ? url.AsSpan(start) : url.AsSpan(start, end)).Contains('@');
    }
}
