namespace Stoa.Gateway.Dialects;

/// <summary>A line in a list of models.</summary>
/// <param name="Id">As a client may ask for it: <c>provider/model</c>, a bare name, <c>agent:slug</c>.</param>
/// <param name="Created">Unix seconds.</param>
internal sealed record ModelEntry(string Id, string Provider, long Created);
