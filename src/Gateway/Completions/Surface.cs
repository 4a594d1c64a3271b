using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Wires;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>One way in for chat: a route with its dialect, in both of its forms (translated, and forwarded as bytes).</summary>
/// <param name="Name">As usage records name it.</param>
/// <param name="WireOf">The wire a request is to be read and answered in: a client may ask for a version of it.</param>
/// <param name="Operation">As GenAI metrics name it (<c>chat</c>, <c>embeddings</c>).</param>
internal sealed record Surface(string Name, string Operation, Wire Kind, Func<HttpRequest, IClientWire> WireOf, IRawDialect Raw, ErrorDialect Errors, LimitHeaders Limits);
