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
        Assert.Equal("True True", await ThreadsSeenAsync(stays: false));

    [Fact]
    public async Task A_route_that_stays_continues_on_the_event_thread()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "sockets complete inline on Unix systems only");

        Assert.EndsWith("False", await ThreadsSeenAsync(stays: true), StringComparison.Ordinal);
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

    /// <summary>Whether the route ran on the pool when it began, and after the second half of its body had come in.</summary>
    private static async Task<string> ThreadsSeenAsync(bool stays)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await HostUnderTest.StartAsync(map: app =>
        {
            var route = app.MapPost("/threads", async (HttpContext context) =>
            {
                var first = Thread.CurrentThread.IsThreadPoolThread;
                await context.Request.Body.ReadExactlyAsync(new byte[1], Ct);
                var rest = context.Request.Body.ReadExactlyAsync(new byte[1], Ct);
                begun.SetResult();
                await rest;
                await context.Response.WriteAsync($"{first} {Thread.CurrentThread.IsThreadPoolThread}", Ct);
            });
            _ = stays ? route.StayOnEventThread() : route;
        });
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", host.Client.BaseAddress!.Port, Ct);
        await using var stream = client.GetStream();
        await stream.WriteAsync("POST /threads HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\na"u8.ToArray(), Ct);
        await begun.Task;
        await stream.WriteAsync("b"u8.ToArray(), Ct);
        using var reader = new StreamReader(stream);
        var lines = (await reader.ReadToEndAsync(Ct)).Split("\r\n");
        return lines.Single(line =>
            line.StartsWith("True ", StringComparison.Ordinal) || line.StartsWith("False ", StringComparison.Ordinal));
    }
}
