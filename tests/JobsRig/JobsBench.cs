namespace Stoa.JobsRig;

internal static class JobsBench
{
    public static Task<bool> RunAsync(string[] arguments) => Task.FromResult(arguments.Length == 0);
}
