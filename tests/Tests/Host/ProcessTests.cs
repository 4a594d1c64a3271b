using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

/// <summary>What only a process of its own can show: exit codes, output, signals.</summary>
public sealed class ProcessTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_setting_ends_the_process_with_78_and_one_line()
    {
        using var process = Start("serve", ("Stoa__DrainSeconds", "soon"));

        var output = await process.StandardOutput.ReadToEndAsync(Ct) + await process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);

        Assert.Equal(78, process.ExitCode);
        Assert.Equal(
            "Wrong setting: Stoa:DrainSeconds must be a whole number (from environment variable Stoa__DrainSeconds)", output.Trim());
    }

    [Fact]
    public async Task A_misspelt_verb_does_not_start_the_host()
    {
        using var process = Start("serv");

        await process.WaitForExitAsync(Ct);

        Assert.Equal(64, process.ExitCode);
    }

    [Theory]
    [InlineData("migrate", "Host=127.0.0.1;Port=1;Database=x;Username=y", 1, "^No database: [^\n]*\n$")]
    [InlineData("migrate", "nonsense", 78, "^Wrong setting: ConnectionStrings:Stoa must be a PostgreSQL connection string [^\n]*\n$")]
    public async Task A_verb_that_finds_no_database_ends_with_one_line(string verb, string address, int code, string told)
    {
        using var process = Start(verb, ("ConnectionStrings__Stoa", address));

        var problem = await process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);

        Assert.Equal(code, process.ExitCode);
        Assert.Matches(told, problem);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_made_ends_the_process_with_1_and_one_line()
    {
        var file = Path.GetTempFileName();
        using var process = Start("serve", ("Stoa__DataDirectory", Path.Combine(file, "data")));

        var problem = await process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        File.Delete(file);

        Assert.Equal(1, process.ExitCode);
        Assert.Matches("^Cannot start: [^\n]*\n$", problem);
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_the_process_with_1_and_nothing_else_fails()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        // There is nothing to drain: a host that waited for it would outlast this test.
        using var process = Start(
            "serve", ("ASPNETCORE_URLS", $"http://{listener.LocalEndpoint}"), ("ConnectionStrings__Stoa", database.ConnectionString),
            ("Stoa__DrainSeconds", "240"));

        var output = await process.StandardOutput.ReadToEndAsync(Ct).WaitAsync(TimeSpan.FromMinutes(2), Ct);
        var problem = await process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("Cannot listen: ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundServiceFaulted", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_host_says_where_it_is_ready_and_ends_with_0_on_SIGTERM()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "SIGTERM needs a Unix system");
        using var process = Start("serve", ("ASPNETCORE_ENVIRONMENT", "Development"));
        var line = "";
        while (!line.Contains("Stoa is ready", StringComparison.Ordinal))
        {
            line = await process.StandardOutput.ReadLineAsync(Ct) ?? throw new EndOfStreamException("The host ended before it was ready");
        }
        var address = line[line.IndexOf("http://", StringComparison.Ordinal)..].Split(' ')[0];
        using var client = new HttpClient();
        var alive = await client.GetAsync($"{address}/healthz", Ct);

        using var kill = Process.Start("kill", $"-TERM {process.Id}");
        await process.WaitForExitAsync(Ct);

        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task A_migration_that_changed_after_it_was_applied_ends_the_process_with_1_and_says_which()
    {
        await database.ExecuteAsync("update platform.migrations set checksum = 'another' where schema = 'gateway' and number = 1");
        using var process = Start("serve", ("ConnectionStrings__Stoa", database.ConnectionString));

        var output = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);

        Assert.Equal(1, process.ExitCode);
        Assert.Contains("0001_usage", output, StringComparison.Ordinal);
    }

    private static Process Start(string verb, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Stoa.Host.dll"), verb])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["Stoa__InternalUrls"] = "http://127.0.0.1:0",
                ["Stoa__DataDirectory"] = Path.Combine(Path.GetTempPath(), $"stoa-test-{Guid.CreateVersion7():N}"),
            },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }
}
