using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Stoa.Platform.Egress;

namespace Stoa.JobsRig;

/// <param name="Recovery">From the death of the last node until a new one had finished all that was left, seconds.</param>
internal sealed record ChaosReport(
    int Seed, string Mutant, int Seconds, IReadOnlyList<string> Violations, IReadOnlyDictionary<string, int> Acts,
    long Jobs, long Retried, long Lost, long Dead, long Effects, double Recovery);

/// <summary>
/// Three nodes at work while they are killed and frozen, the database restarted and connections cut; then the ledger is read.
/// </summary>
/// <param name="ProxyTool">A TCP proxy that misbehaves on command; without it connections are not cut.</param>
internal sealed record Chaos(int Seconds, int Seed, Mutant Mutant, string? ProxyTool, Action<string> Say)
{
    private const int Nodes = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan LongestRecovery = RigJobs.Lease + TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, int> acts = new(StringComparer.Ordinal);
    private readonly HashSet<string> violations = new(StringComparer.Ordinal);
    private readonly Random random = new(Seed);

    public async Task<ChaosReport> PlayAsync(CancellationToken ct)
    {
        Say($"seed {Seed}, mutant {Mutant}, {Seconds} s, proxy {ProxyTool ?? "none"}");
        // As operators should: what a vanished client left open is ended by the server.
        await using var database = await RigDatabase.StartAsync(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["idle_in_transaction_session_timeout"] = "10s" });
        await database.ExecuteAsync(Ledger.Schema);
        using var proxy = ProxyTool is null ? null : await ChaosProxy.StartAsync(ProxyTool, database.Host, ct);
        var address = proxy is null ? RigDatabase.Address(database.Host, 5432) : RigDatabase.Address("127.0.0.1", proxy.Port);
        var ledger = new Ledger(database);
        var nodes = new NodeProcess[Nodes];
        try
        {
            for (var number = 0; number < Nodes; number++)
            {
                nodes[number] = NewNode(address);
            }
            await DisturbAsync(database, proxy, nodes, ledger, ct);
            if (Mutant is not Mutant.None && violations.Count > 0)
            {
                return await ReportAsync(database, TimeSpan.Zero);
            }
            // No more is added; then the last node dies, and a new one alone must finish everything.
            await database.ExecuteAsync("insert into rig.over values (now())");
            foreach (var node in nodes)
            {
                node.Kill();
            }
            var died = TimeProvider.System.GetTimestamp();
            nodes[0] = NewNode(address);
            await FinishAsync(database, ledger, ct);
            var recovery = TimeProvider.System.GetElapsedTime(died);
            if (recovery > LongestRecovery)
            {
                violations.Add($"6 a new node resumes all work within lease + 30 s: it took {recovery}");
            }
            violations.UnionWith(await ledger.LookAtTheEndAsync());
            var report = await ReportAsync(database, recovery);
            Say($"{report.Jobs} jobs, {report.Effects} effects, {report.Lost} lost leases, recovery {report.Recovery:0.0} s, {violations.Count} violations");
            foreach (var node in violations.Count > 0 ? nodes : [])
            {
                Say(node.Log);
            }
            return report;
        }
        finally
        {
            foreach (var node in nodes.OfType<NodeProcess>())
            {
                node.Kill();
            }
        }
    }

    private async Task DisturbAsync(RigDatabase database, ChaosProxy? proxy, NodeProcess[] nodes, Ledger ledger, CancellationToken ct)
    {
        var started = TimeProvider.System.GetTimestamp();
        var next = TimeSpan.FromSeconds(Math.Min(5, Seconds / 4.0));
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(Seconds))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
            violations.UnionWith(await ledger.LookNowAsync());
            if (TimeProvider.System.GetElapsedTime(started) > next)
            {
                violations.UnionWith(await ledger.LookBackAsync());
                if (Mutant is not Mutant.None && violations.Count > 0)
                {
                    return;
                }
                await DisturbOnceAsync(database, proxy, nodes);
                next = TimeProvider.System.GetElapsedTime(started) + TimeSpan.FromMilliseconds(random.Next(500, 4000));
            }
        }
        foreach (var node in nodes)
        {
            await node.ContinueAsync();
        }
    }

    private async Task DisturbOnceAsync(RigDatabase database, ChaosProxy? proxy, NodeProcess[] nodes)
    {
        var victim = random.Next(Nodes);
        var roll = random.Next(100);
        switch (roll)
        {
            case < 40:
                Count("kill");
                nodes[victim].Kill();
                nodes[victim] = nodes[victim].Again();
                break;
            case < 65:
                Count("freeze");
                nodes[victim].FreezeFor(RigJobs.Lease * (1.2 + random.NextDouble()));
                break;
            case < 75:
                Count("restart database");
                await database.RestartAsync(random.Next(2) == 0 ? "INT" : "QUIT");
                break;
            default:
                if (proxy is not null)
                {
                    var mode = random.Next(4) switch { 0 => "cut", 1 => "flaky&p=0.05", 2 => "delay&ms=100", _ => "lostack" };
                    Count(mode);
                    await proxy.DoAsync(mode, TimeSpan.FromMilliseconds(random.Next(50, 700)));
                }
                break;
        }
    }

    private NodeProcess NewNode(string address) => new("worker", address, Mutant.ToString());

    private void Count(string act) => acts[act] = acts.GetValueOrDefault(act) + 1;

    private async Task FinishAsync(RigDatabase database, Ledger ledger, CancellationToken ct)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (await database.ScalarAsync<long>("select count(*) from platform.jobs") > 0
            && TimeProvider.System.GetElapsedTime(started) < Patience)
        {
            violations.UnionWith(await ledger.LookNowAsync());
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        }
    }

    private async Task<ChaosReport> ReportAsync(RigDatabase database, TimeSpan recovery)
    {
        Task<long> CountAsync(string what) => database.ScalarAsync<long>($"select count(*) from {what}");
        return new(
            Seed, Mutant.ToString(), Seconds, [.. violations.Order(StringComparer.Ordinal)], acts,
            await CountAsync("platform.finished_jobs"),
            await CountAsync("""platform.finished_jobs where history @> '[{"state": "failed"}]'"""),
            await CountAsync("""platform.finished_jobs where history @> '[{"state": "lost"}]'"""),
            await CountAsync("platform.finished_jobs where state = 'dead'"), await CountAsync("rig.effects"), recovery.TotalSeconds);
    }

    private sealed class ChaosProxy : IDisposable
    {
        private readonly Process process;
        private readonly HttpClient control;

        private ChaosProxy(Process process, int port, HttpClient control) => (this.process, Port, this.control) = (process, port, control);

        public int Port { get; }

        public static async Task<ChaosProxy> StartAsync(string tool, string target, CancellationToken ct)
        {
            var (port, controlPort) = (FreePort(), FreePort());
            var process = Process.Start(new ProcessStartInfo(
                "python3", [tool, $"{port}", $"{target}:5432", $"{controlPort}"]) { UseShellExecute = false,
                RedirectStandardOutput = true })!;
            var control = new HttpClient(new SocketsHttpHandler { ConnectCallback = Connections.ConnectAsync })
            {
                BaseAddress = new($"http://127.0.0.1:{controlPort.ToString(CultureInfo.InvariantCulture)}"),
            };
            var proxy = new ChaosProxy(process, port, control);
            for (var attempt = 0; attempt < 100; attempt++)
            {
                try
                {
                    await proxy.SetAsync("pass");
                    return proxy;
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
                }
            }
            throw new InvalidOperationException("The proxy did not start");
        }

        public async Task DoAsync(string mode, TimeSpan duration)
        {
            await SetAsync(mode);
            await Task.Delay(duration, TimeProvider.System);
            await SetAsync("pass");
        }

        public void Dispose()
        {
            process.Kill();
            process.Dispose();
            control.Dispose();
        }

        private async Task SetAsync(string mode)
        {
            using var answer = await control.GetAsync(new Uri($"/?mode={mode}", UriKind.Relative));
            answer.EnsureSuccessStatusCode();
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
            listener.Start();
            return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
