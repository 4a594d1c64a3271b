using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Secrets;

/// <summary>
/// Takes out of opened documents what signs in elsewhere, before somebody gets them who may not have it. A reference to a secret of the
/// organization (<c>{{secret.NAME}}</c>) is none.
/// </summary>
internal static partial class DocumentCredentials
{
    private static readonly string[] InServers = ["headers", "auth"], Parts = ["configuration", "settings"];

    /// <returns>What is missing now, by the path of each.</returns>
    public static List<string> TakeFromTool(JsonObject tool)
    {
        var taken = new List<string>();
        TakeHeaders(tool, "", taken);
        if (tool.Remove("auth"))
        {
            taken.Add("auth");
        }
        Shorten(tool, "", taken);
        return taken;
    }

    /// <summary>Of an agent or a version: from its MCP servers, and where its answers go.</summary>
    /// <inheritdoc cref="TakeFromTool"/>
    public static List<string> TakeFromAgent(JsonObject document)
    {
        var taken = new List<string>();
        foreach (var server in document.Object("configuration").Object("mcp_config").List("servers").Objects())
        {
            var path = $"configuration.mcp_config.servers.{server.Text("name")}.";
            foreach (var name in InServers.Where(server.Remove))
            {
                taken.Add(path + name);
            }
            Shorten(server, path, taken);
        }
        foreach (var part in Parts)
        {
            if (document.Object(part).Object("response_format").Object("cred") is { } cred)
            {
                foreach (var name in cred.Select(member => member.Key).Where(name => name is not ("url" or "channel" or "ttl")).ToList())
                {
                    cred.Remove(name);
                    taken.Add($"{part}.response_format.cred.{name}");
                }
                Shorten(cred, $"{part}.response_format.cred.", taken);
            }
        }
        return taken;
    }

    /// <summary>An agent that moves to other people does not send its answers to where those of its first owner went.</summary>
    /// <inheritdoc cref="TakeFromTool"/>
    public static List<string> TakeReceivers(JsonObject document)
    {
        var taken = new List<string>();
        foreach (var part in Parts.Where(part => document.Object(part).Object("response_format").Object("cred") is not null))
        {
            document.Object(part)!.Remove("response_format");
            taken.Add($"{part}.response_format");
        }
        return taken;
    }

    private static void TakeHeaders(JsonObject holder, string path, List<string> taken)
    {
        if (holder["headers"] is not JsonObject headers)
        {
            if (holder.Remove("headers"))
            {
                taken.Add($"{path}headers");
            }
            return;
        }
        foreach (var (name, _) in headers.Where(header => Reference().Replace(header.Value.AsWords(), "") is not ("" or "Bearer "))
            .ToList())
        {
            headers.Remove(name);
            taken.Add($"{path}headers.{name}");
        }
    }

    /// <summary>Addresses too have places for credentials: before the host, and in the query.</summary>
    private static void Shorten(JsonObject holder, string path, List<string> taken)
    {
        if (holder.Text("url") is { } address && Uri.TryCreate(address, UriKind.Absolute, out var url)
            && url.UserInfo.Length + url.Query.Length > 0)
        {
            holder["url"] = url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
            taken.Add($"{path}url");
        }
    }

    [GeneratedRegex(@"\{\{secret\.[^{}]*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
