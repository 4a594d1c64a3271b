using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Http;

public sealed class EventThreadTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_route_continues_on_the_pool_after_it_has_waited_for_a_socket() =>
        Assert.DoesNotContain(false, await ThreadsSeenAsync(stays: false));

    [Fact]
    public async Task A_route_that_stays_continues_on_the_event_thread()
    {
        Assert.SkipUnless(EventThread.CanContinueInline, "this platform's sockets do not complete inline");

        Assert.Contains(false, await ThreadsSeenAsync(stays: true));
    }

    [Fact]
    public async Task Work_sent_to_the_pool_stays_there_through_its_awaits()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((System.Net.IPEndPoint)listener.LocalEndpoint, Ct);
        using var server = await listener.AcceptTcpClientAsync(Ct);
        List<bool> seen = [];

        var work = EventThread.RunOnPool(async () =>
        {
            seen.Add(Thread.CurrentThread.IsThreadPoolThread);
            await client.GetStream().ReadExactlyAsync(new byte[1], Ct);
            seen.Add(Thread.CurrentThread.IsThreadPoolThread);
        });
        await server.GetStream().WriteAsync(new byte[1], Ct);
        await work;

        Assert.Equal([true, true], seen);
    }

    /// <summary>Each new one must neither block nor compute there, in all that it calls: see decision 0004.</summary>
    [Theory]
    [InlineData(".ContinueInline(", "src/Gateway/Providers/ProviderClient.cs", "src/Platform/Hosting/Listeners.cs")]
    [InlineData(".StayOnEventThread(", "src/Gateway/Completions/ChatApi.cs")]
    public void Only_these_run_on_the_event_thread(string call, params string[] files) =>
        Assert.Equal(files, Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains(call, StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal));

    /// <summary>
    /// Whether the route was on the pool after each byte of its body. A byte may be there before it is waited for, and then nothing
    /// moves; of so many, some are waited for.
    /// </summary>
    private static async Task<List<bool>> ThreadsSeenAsync(bool stays)
    {
        const int Bytes = 50;
        List<bool> seen = [];
        var ready = new SemaphoreSlim(0);
        await using var host = await HostUnderTest.StartAsync(map: app =>
        {
            var route = app.MapPost("/threads", async (HttpContext context) =>
            {
                for (var count = 0; count < Bytes; count++)
                {
                    var next = context.Request.Body.ReadExactlyAsync(new byte[1], Ct);
                    ready.Release();
                    await next;
                    seen.Add(Thread.CurrentThread.IsThreadPoolThread);
                }
            });
            _ = stays ? route.StayOnEventThread() : route;
        });
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", host.Client.BaseAddress!.Port, Ct);
        await using var stream = client.GetStream();
        await stream.WriteAsync("POST /threads HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nConnection: close\r\n\r\n"u8.ToArray(), Ct);
        for (var count = 0; count < Bytes; count++)
        {
            await ready.WaitAsync(Ct);
            await stream.WriteAsync("b"u8.ToArray(), Ct);
        }
        using var reader = new StreamReader(stream);
        await reader.ReadToEndAsync(Ct);
        Assert.Equal(Bytes, seen.Count);
        return seen;
    }
}
