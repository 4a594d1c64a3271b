using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Egress;

namespace Stoa.Tests.Platform.Egress;

public sealed class ConnectionsTests
{
    [Fact]
    public async Task A_connection_that_is_reset_before_it_is_used_is_an_error_of_the_client_like_any_other()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var address = (IPEndPoint)server.LocalEndpoint;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (_, ct) => Connections.ConnectAsync(async socket =>
            {
                await socket.ConnectAsync(address, ct);
                using (var accepted = await server.AcceptSocketAsync(ct))
                {
                    // Closed so, it is reset.
                    accepted.LingerState = new(enable: true, seconds: 0);
                }
                socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead);
            }),
        });

        var error = await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetAsync(new Uri($"http://{address}/"), TestContext.Current.CancellationToken));

        Assert.Equal(HttpRequestError.ConnectionError, error.HttpRequestError);
    }

    [Theory]
    [InlineData("resilient")]
    [InlineData("plain")]
    public async Task Clients_by_name_connect_so_whatever_else_they_are_told(string name)
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddEgressClient("resilient");
        services.AddHttpClient("plain").UseSocketsHttpHandler(static (handler, _) => handler.AllowAutoRedirect = false);
        services.AddEgress();
        await using var provider = services.BuildServiceProvider();

        var handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name);
        while (handler is DelegatingHandler outer)
        {
            handler = outer.InnerHandler!;
        }

        Assert.Equal(Connections.ConnectAsync, Assert.IsType<SocketsHttpHandler>(handler).ConnectCallback);
    }
}
