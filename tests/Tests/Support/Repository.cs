namespace Stoa.Tests.Support;

internal static class Repository
{
    /// <summary>The folder that holds Stoa.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stoa.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("The tests must run from a build inside the repository.");
    }
}
