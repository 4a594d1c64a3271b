using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.RunTools;

/// <summary>The tools of the MCP servers that an agent names (<c>configuration.mcp_config.servers[{name, url, headers}]</c>).</summary>
internal sealed partial class McpServers(
    AddressGuard guard, DocumentSeal seal, IOptions<GatewayOptions> options, TimeProvider time, ILogger<McpServers> logger) : IDisposable
{
    private const int MaxServers = 8;
    private const int MaxTools = 128;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Every address is judged where the connection is made, and redirects are not followed.
    private readonly HttpClient web = new(new BoundedAnswers(guard.CreateHandler())) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>A server that cannot be asked has no tools in this run; that is no reason not to answer.</summary>
    public async Task<IReadOnlyList<(string Server, McpClient Client, IList<McpClientTool> Tools)>> OpenAsync(Run run, CancellationToken ct)
    {
        var servers = (seal.Opened((run.Plan.Configured("mcp_config") as JsonObject).List("servers")) as JsonArray)
            .Objects().Take(MaxServers).ToList();
        if (servers.Count == 0)
        {
            return [];
        }
        var open = await Task.WhenAll(servers.Select(server => OpenAsync(server, ct)));
        return [.. open.OfType<(string, McpClient, IList<McpClientTool>)>()];
    }

    public void Dispose() => web.Dispose();

    /// <summary>One call, in the run's bounds of time.</summary>
    public async Task<ToolOutcome> CallAsync(McpClientTool tool, McpClient client, JsonObject arguments, CancellationToken ct)
    {
        var metadata = new JsonObject { ["type"] = "mcp" };
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.Value.Timeouts.ToolMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var result = await client.CallToolAsync(
                new CallToolRequestParams
                {
                    Name = tool.ProtocolTool.Name,
                    Arguments = arguments.ToDictionary(
                        argument => argument.Key,
                        argument => JsonSerializer.SerializeToElement(argument.Value, GatewayJson.Default.JsonNode)),
                },
                either.Token);
            return new(ResponseOf(result), result.IsError == true, metadata);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested
            && exception is McpException or HttpRequestException or IOException or OperationCanceledException or Failure)
        {
            return new(exception is McpException ? exception.Message : "The MCP server did not answer", IsError: true, metadata);
        }
    }

    private async Task<(string, McpClient, IList<McpClientTool>)?> OpenAsync(JsonObject server, CancellationToken ct)
    {
        var name = server.Name("name") ?? "mcp";
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        McpClient? client = null;
        try
        {
            var transport = new HttpClientTransport(
                new()
                {
                    Endpoint = guard.Check(server.Text("url") ?? ""),
                    TransportMode = HttpTransportMode.StreamableHttp,
                    EnableStandaloneGetStream = false,
                    Name = name,
                    AdditionalHeaders = server.Object("headers")?.ToDictionary(header => header.Key, header => header.Value.AsWords()),
                },
                web, loggerFactory: null, ownsHttpClient: false);
            client = await McpClient.CreateAsync(
                transport, new() { ClientInfo = new() { Name = "stoa", Version = "1" }, InitializationTimeout = Patience },
                cancellationToken: either.Token);
            var tools = await client.ListToolsAsync(cancellationToken: either.Token);
            return (name, client, [.. tools.Take(MaxTools)]);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            LogAway(exception.GetType().Name);
            if (client is not null)
            {
                await client.DisposeAsync();
            }
            return null;
        }
    }

    private static JsonNode? ResponseOf(CallToolResult result)
    {
        if (result.StructuredContent is { } structured)
        {
            var raw = structured.GetRawText();
            return JsonFields.TryParse(raw, out var kept) ? kept : raw;
        }
        var text = string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
        return JsonFields.TryParse(text, out var json) ? json : text;
    }

    [LoggerMessage(LogLevel.Warning, "An MCP server of an agent cannot be asked: {Problem}")]
    private partial void LogAway(string problem);
}

/// <summary>A tool of an MCP server.</summary>
internal sealed class McpTool(string name, McpClientTool tool, McpClient client, McpServers servers)
    : RunTool(name, tool.Description, JsonObject.Create(tool.JsonSchema) ?? [])
{
    public override Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct) =>
        servers.CallAsync(tool, client, arguments, ct);
}
