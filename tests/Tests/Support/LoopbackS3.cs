using System.Diagnostics;
using Stoa.Platform.Storage;

namespace Stoa.Tests.Support;

/// <summary>A server that speaks like S3 (npm's <c>s3rver</c>), on a free loopback port, with one bucket.</summary>
public sealed class LoopbackS3 : IAsyncLifetime
{
    private static readonly string Program =
        Path.Combine(Repository.Root, "tests", "Contracts", "node_modules", "s3rver", "bin", "s3rver.js");

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-s3-").FullName;
    private Process? server;

    public string Url { get; private set; } = "";

    /// <summary>What the host is told of it.</summary>
    internal StorageOptions Options => new()
    {
        Bucket = "stoa", Folder = "school", Endpoint = Url, AccessKey = "S3RVER", SecretKey = "S3RVER",
    };

    public Dictionary<string, string?> Settings => new(StringComparer.Ordinal)
    {
        ["Storage:Bucket"] = "stoa", ["Storage:Folder"] = "school", ["Storage:Endpoint"] = Url, ["Storage:AccessKey"] = "S3RVER",
        ["Storage:SecretKey"] = "S3RVER",
    };

    public static void SkipUnlessThere() =>
        Assert.SkipUnless(File.Exists(Program), "The npm packages are not installed: run 'npm ci' in tests/Contracts.");

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program))
        {
            return;
        }
        server = Process.Start(new ProcessStartInfo("node", [
            Program, "-d", folder, "-a", "127.0.0.1", "-p", "0", "-s", "--no-vhost-buckets", "--configure-bucket", "stoa",
        ])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = server.StandardError.ReadToEndAsync();
        while (await server.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("S3rver listening on ", StringComparison.Ordinal))
            {
                Url = $"http://{line["S3rver listening on ".Length..]}";
                _ = server.StandardOutput.ReadToEndAsync();
                return;
            }
        }
        throw new InvalidOperationException("s3rver ended before it listened");
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            server.Kill();
            await server.WaitForExitAsync();
            server.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }
}
