using System.Diagnostics;

namespace Stoa.Bench.Documents;

/// <summary>Debian's package with PostgreSQL's manual, unpacked into a folder and kept there; nothing is installed.</summary>
internal static class Manual
{
    private const string Package = "postgresql-doc-15";

    /// <summary>The folder with its pages.</summary>
    internal static async Task<string> UnpackAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"stoa-bench-{Package}");
        var pages = Path.Combine(folder, "usr", "share", "doc", Package, "html");
        if (!Directory.Exists(pages))
        {
            Directory.CreateDirectory(folder);
            await RunAsync(folder, "apt-get", "download", Package);
            await RunAsync(folder, "dpkg", "-x", Directory.EnumerateFiles(folder, $"{Package}_*.deb").First(), folder);
        }
        return pages;
    }

    private static async Task RunAsync(string folder, string program, params string[] words)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, words) { WorkingDirectory = folder, RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException($"{program} could not be started.");
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{program} ended with code {process.ExitCode}: {Package} is needed, from a Debian mirror.");
        }
    }
}
