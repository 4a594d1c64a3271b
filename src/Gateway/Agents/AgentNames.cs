using System.Text;

namespace Stoa.Gateway.Agents;

internal static class AgentNames
{
    public const int MaxLength = 200;

    public const string Untitled = "untitled_agent";

    /// <summary>In small letters, with an underscore for everything else than letters and digits.</summary>
    public static string SlugOf(string name)
    {
        var slug = new StringBuilder(name.Length);
        foreach (var letter in name.Trim().ToLowerInvariant())
        {
            slug.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        }
        return slug.ToString();
    }

    /// <summary>The name itself, or with the first free number behind it.</summary>
    public static string Free(string name, ICollection<string> taken)
    {
        if (!taken.Contains(name))
        {
            return name;
        }
        var number = 1;
        while (taken.Contains($"{name}_{number}"))
        {
            number++;
        }
        return $"{name}_{number}";
    }
}
