using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>
/// A RabbitMQ of the tests' own, on loopback, with its node, ports and data in a folder that is deleted afterwards; it can be killed and
/// started again. <c>bin/setup test</c> brings the programs.
/// </summary>
public sealed class PrivateBroker : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("stoa-broker-").FullName;
    private readonly int port = FreePort.Next();
    private readonly int distributionPort = FreePort.Next();
    private readonly int mapperPort = FreePort.Next();
    private Process? script;

    public static string? Programs { get; } = Directory.Exists("/usr/lib/rabbitmq/lib")
        ? Directory.GetDirectories("/usr/lib/rabbitmq/lib").Select(version => Path.Combine(version, "sbin"))
            .FirstOrDefault(sbin => File.Exists(Path.Combine(sbin, "rabbitmq-server")))
        : null;

    public string Url => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{port}/");

    public static void SkipUnlessThere() =>
        Assert.SkipWhen(
            Programs is null, "RabbitMQ is not installed (bin/setup test installs it as root; sudo apt-get install rabbitmq-server)");

    public async ValueTask InitializeAsync()
    {
        if (Programs is null)
        {
            return;
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "plugins"), "[].\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "rabbit.conf"), string.Create(CultureInfo.InvariantCulture, $"""
            listeners.tcp.1 = 127.0.0.1:{port}
            vm_memory_high_watermark.absolute = 256MB
            disk_free_limit.absolute = 1MB

            """));
        await StartAsync();
    }

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(Programs!, "rabbitmq-server"))
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        foreach (var (name, value) in Settings())
        {
            start.Environment[name] = value;
        }
        start.Environment["PATH"] = $"{Programs}:{Environment.GetEnvironmentVariable("PATH")}";
        script = Process.Start(start)!;
        script.OutputDataReceived += static (_, _) => { };
        script.ErrorDataReceived += static (_, _) => { };
        script.BeginOutputReadLine();
        script.BeginErrorReadLine();
        await WaitAsync();
    }

    /// <summary>kill -9 of the node, as a crash would.</summary>
    public async Task KillAsync()
    {
        using (var node = Process.GetProcessById(NodeId()))
        {
            node.Kill();
            await node.WaitForExitAsync();
        }
        script!.Kill();
        await script.WaitForExitAsync();
        script.Dispose();
        File.Delete(PidFile);
    }

    public async Task<IConnection> ConnectAsync() => await new ConnectionFactory { Uri = new(Url) }.CreateConnectionAsync();

    /// <summary>The bodies of all messages in a queue, which stay there.</summary>
    public async Task<List<string>> PeekAsync(string queue)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        List<string> bodies = [];
        while (await channel.BasicGetAsync(queue, autoAck: false) is { } message)
        {
            bodies.Add(System.Text.Encoding.UTF8.GetString(message.Body.Span));
        }
        return bodies;
    }

    public async Task PublishAsync(string queue, string body)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.BasicPublishAsync("", queue, mandatory: true, System.Text.Encoding.UTF8.GetBytes(body));
    }

    public async ValueTask DisposeAsync()
    {
        if (script is not null && File.Exists(PidFile))
        {
            await KillAsync();
        }
        if (Programs is not null)
        {
            // The port mapper outlives its node; this asks the one on our own port to end.
            var start = new ProcessStartInfo("epmd", ["-kill"])
            {
                UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            start.Environment["ERL_EPMD_PORT"] = mapperPort.ToString(CultureInfo.InvariantCulture);
            start.Environment["ERL_EPMD_ADDRESS"] = "127.0.0.1";
            using var mapper = Process.Start(start)!;
            await mapper.WaitForExitAsync();
        }
        Directory.Delete(folder, recursive: true);
    }

    private string PidFile => Path.Combine(folder, "pid");

    private int NodeId() => int.Parse(File.ReadAllText(PidFile), CultureInfo.InvariantCulture);

    private Dictionary<string, string> Settings() => new(StringComparer.Ordinal)
    {
        ["HOME"] = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName,
        ["RABBITMQ_NODENAME"] = string.Create(CultureInfo.InvariantCulture, $"stoa{port}@localhost"),
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(folder, "data"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(folder, "log"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(folder, "rabbit.conf"),
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(folder, "plugins"),
        ["RABBITMQ_PID_FILE"] = PidFile,
        ["RABBITMQ_DIST_PORT"] = distributionPort.ToString(CultureInfo.InvariantCulture),
        ["ERL_EPMD_PORT"] = mapperPort.ToString(CultureInfo.InvariantCulture),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        // Otherwise the nodes' own port listens on every address.
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} -setcookie " + Path.GetFileName(folder),
    };

    private async Task WaitAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await ConnectAsync();
                await using var channel = await connection.CreateChannelAsync();
                return;
            }
            catch (Exception exception) when (exception is RabbitMQ.Client.Exceptions.RabbitMQClientException or IOException)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Long, "The broker does not start");
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }
    }
}
