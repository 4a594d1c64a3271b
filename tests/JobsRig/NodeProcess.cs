using System.Diagnostics;

namespace Stoa.JobsRig;

/// <summary>A child process; killed by its own id, and ending by itself when we are gone.</summary>
internal sealed class NodeProcess
{
    private readonly string[] arguments;
    private readonly Process process;
    private readonly Queue<string> log = new();

    /// <param name="arguments">As the rig's program takes them: <c>worker</c> or <c>calendar</c>, and what belongs to it.</param>
    public NodeProcess(params string[] arguments)
    {
        this.arguments = arguments;
        process = Process.Start(new ProcessStartInfo("dotnet", [typeof(NodeProcess).Assembly.Location, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Log
    {
        get
        {
            lock (log)
            {
                return string.Join('\n', log);
            }
        }
    }

    public NodeProcess Again() => new(arguments);

    public void Kill()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    public void FreezeFor(TimeSpan duration) => _ = Task.Run(async () =>
    {
        await RigDatabase.SignalAsync("STOP", process.Id);
        await Task.Delay(duration, TimeProvider.System);
        await ContinueAsync();
    });

    public async Task ContinueAsync()
    {
        if (!process.HasExited)
        {
            await RigDatabase.SignalAsync("CONT", process.Id);
        }
    }

    private void Note(string? line)
    {
        lock (log)
        {
            if (line is not null)
            {
                log.Enqueue(line);
            }
            if (log.Count > 60)
            {
                log.Dequeue();
            }
        }
    }
}
