using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>The two doors of the host: the public one, which a drain closes at once, and the internal one, open to the end.</summary>
public sealed class Listeners : IServerAddressesFeature
{
    internal const string DefaultUrl = "http://127.0.0.1:8080";

    private readonly List<ListenOptions> publicDoors = [];
    private readonly List<ListenOptions> internalDoors = [];

    /// <summary>The addresses in use, with the real port where 0 was asked for. Known once the host has started.</summary>
    public IReadOnlyList<string> Public => [.. publicDoors.Select(AddressOf)];

    public IReadOnlyList<string> Internal => [.. internalDoors.Select(AddressOf)];

    // An array, which is read-only as a collection.
    ICollection<string> IServerAddressesFeature.Addresses => publicDoors.Select(AddressOf).ToArray();

    bool IServerAddressesFeature.PreferHostingUrls { get; set; }

    /// <summary>
    /// Kestrel opens each door as it was told in <see cref="Add"/>, so that a connection knows its door whatever Host header it carries.
    /// This keeps the hosting layer from giving it the same addresses once more.
    /// </summary>
    internal void TakeOver(IServer server) => server.Features.Set<IServerAddressesFeature>(this);

    internal static void Add(WebApplicationBuilder builder, StoaOptions options)
    {
        var listeners = new Listeners();
        var urls = UrlsOf(builder);
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.UnsafePreferInlineScheduling = true;
            sockets.IOQueueCount = Environment.ProcessorCount;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyMb * 1024L * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 100;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MinRequestBodyDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            var drain = kestrel.ApplicationServices.GetRequiredService<Drain>();
            listeners.publicDoors.AddRange(urls.Select(url => Open(kestrel, url, isInternal: false, drain)));
            listeners.internalDoors.AddRange(Split(options.InternalUrls).Select(url => Open(kestrel, url, isInternal: true, drain)));
        });
        builder.Services.AddSingleton(listeners);
        builder.Services.AddSingleton<PublicSockets>();
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => services.GetRequiredService<PublicSockets>());
    }

    private static string[] UrlsOf(WebApplicationBuilder builder)
    {
        var configured = builder.Configuration[WebHostDefaults.ServerUrlsKey];
        var urls = Split(string.IsNullOrWhiteSpace(configured) ? DefaultUrl : configured);
        foreach (var url in urls)
        {
            if (StoaOptions.UrlRule(url) is { } rule)
            {
                throw new WrongSettingException(
                    [new("urls", rule, SettingSource.Of(builder.Configuration, WebHostDefaults.ServerUrlsKey))]);
            }
        }
        return urls;
    }

    private static string[] Split(string urls) =>
        urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static ListenOptions Open(KestrelServerOptions kestrel, string url, bool isInternal, Drain drain)
    {
        ListenOptions door = null!;
        void Configure(ListenOptions options)
        {
            door = options;
            options.Protocols = HttpProtocols.Http1;
            options.Use(next => connection => ServeAsync(connection, next, isInternal, drain));
        }

        var address = BindingAddress.Parse(url);
        if (address.IsUnixPipe)
        {
            kestrel.ListenUnixSocket(address.UnixPipePath, Configure);
        }
        else
        {
            var ip = IpOf(address.Host);
            kestrel.Listen(isInternal ? new InternalEndPoint(ip, address.Port) : new IPEndPoint(ip, address.Port), Configure);
        }
        return door;
    }

    /// <summary>A host that is neither an address nor this machine (<c>*</c>, <c>+</c>) means every address.</summary>
    private static IPAddress IpOf(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(host.Trim('[', ']'), out var ip) ? ip
        : IPAddress.IPv6Any;

    private static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, bool isInternal, Drain drain)
    {
        if (isInternal)
        {
            connection.Features.Set(InternalConnection.Instance);
        }
        connection.Features.Get<IConnectionSocketFeature>()?.Socket.ContinueInline();
        await using var cut = drain.Cut.UnsafeRegister(static state => ((ConnectionContext)state!).Abort(), connection);
        await next(connection);
    }

    private static string AddressOf(ListenOptions door) => door.EndPoint switch
    {
        IPEndPoint endPoint => $"http://{endPoint}",
        _ => $"{door}",
    };

    internal sealed class InternalEndPoint(IPAddress address, int port) : IPEndPoint(address, port);

    /// <summary>Kestrel can only stop as a whole. The sockets below it can stop listening one by one.</summary>
    internal sealed class PublicSockets(IOptions<SocketTransportOptions> options, ILoggerFactory loggers)
        : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        private readonly SocketTransportFactory sockets = new(options, loggers);
        private readonly List<IConnectionListener> open = [];

        public bool CanBind(EndPoint endpoint) => sockets.CanBind(endpoint);

        public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var listener = await sockets.BindAsync(endpoint, cancellationToken);
            if (endpoint is not InternalEndPoint)
            {
                open.Add(listener);
            }
            return listener;
        }

        /// <summary>From now on new connections are refused; those that exist are served.</summary>
        public async Task CloseAsync(CancellationToken ct)
        {
            foreach (var listener in open)
            {
                await listener.UnbindAsync(ct);
            }
        }
    }
}
