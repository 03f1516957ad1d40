namespace NewarBots.Tests.Recording;

/// <summary>Calls that look and behave differently while their network is lost. In each, a tone of 500 Hz is audible.</summary>
internal static class LostNetworkPages
{
    /// <summary>Connects a tone, and reports whether it is connected.</summary>
    private const string Script = """
        const dial = async report => {
          const here = new RTCPeerConnection(), there = new RTCPeerConnection();
          const pass = to => ({ candidate }) => to.addIceCandidate(candidate).catch(() => {});
          [here.onicecandidate, there.onicecandidate] = [pass(there), pass(here)];
          const sound = new AudioContext({ sampleRate: 48000 }), tone = sound.createOscillator(), gain = sound.createGain();
          const speaker = sound.createMediaStreamDestination();
          [tone.frequency.value, gain.gain.value] = [500, 0.2];
          tone.connect(gain).connect(speaker);
          tone.start();
          for (const track of speaker.stream.getTracks()) there.addTrack(track, speaker.stream);
          here.onconnectionstatechange = () => report(here.connectionState);
          await there.setLocalDescription(await there.createOffer());
          await here.setRemoteDescription(there.localDescription);
          await here.setLocalDescription(await here.createAnswer());
          await there.setRemoteDescription(here.localDescription);
          return () => { here.close(); there.close(); tone.stop(); sound.close(); };
        };
        """;

    public static string Plain { get; } = CallPage.Html("await connect(500);");

    /// <summary>A notice covers the page. Its only button leaves.</summary>
    public static string CoveredByANotice { get; } = $$"""
        <!doctype html><title>Standup</title>
        <section data-requested-participant-id="u1"><b class="notranslate">Inês Castro</b></section>
        <section data-requested-participant-id="u2"><b class="notranslate">Jonas Weber</b></section>
        <span data-avatar-count="3">3</span>
        <nav><button aria-label="Leave call">Hang up</button></nav>
        <div role="alertdialog" aria-modal="true" hidden style="position: fixed; inset: 0; background: #fff">
        <p>Hang tight, your internet seems to be gone</p><button onclick="document.body.textContent = 'You left the meeting'">Leave</button></div>
        <script>
        {{Script}}
        dial(state => {
          document.querySelector('[role=alertdialog]').hidden = state === 'connected';
          document.querySelector('nav').hidden = state !== 'connected';
        });
        </script>
        """;

    /// <summary>The connection is in a frame. While it is lost, the page shows nobody and counts only the bot.</summary>
    public static string ShowsNobody { get; } = $$"""
        <!doctype html><title>Weekly</title>
        <div role="button" tabindex="0" aria-label="Leave meeting">Leave</div>
        <div role="button" tabindex="0" aria-label="People - 2 joined">2</div>
        <div id="tile" data-participant-id="p9"><i data-self-name="Mei Tanaka"></i><span>Mei Tanaka</span></div>
        <script>
        const show = isConnected => {
          document.getElementById('tile').hidden = !isConnected;
          document.querySelector('[aria-label^=People]').setAttribute('aria-label', `People - ${isConnected ? 2 : 1} joined`);
        };
        </script>
        <iframe srcdoc="<script>{{Script}}; dial(state => parent.show(state === 'connected'));</script>"></iframe>
        """;

    /// <summary>The page replaces a lost connection until one works, and shows neither names nor a count.</summary>
    public static string ReplacesItsConnection { get; } = $$"""
        <!doctype html><title>1:1</title><div><div><button aria-label="Leave call">Leave</button></div></div>
        <script>
        const show = () => {};
        {{Replacing}}
        </script>
        """;

    /// <summary>The page replaces a lost connection until one works. Until then, it names nobody and counts only the bot.</summary>
    public static string ReplacesItsConnectionAndShowsNobody { get; } = $$"""
        <!doctype html><title>Retro</title><div role="button" tabindex="0" aria-label="Leave call">Leave</div>
        <div role="button" tabindex="0" aria-label="People - 2 joined">2</div>
        <div data-participant-id="p4"><span class="notranslate">Olga Petrova</span></div>
        <script>
        const tile = document.querySelector('[data-participant-id]'), count = document.querySelector('[aria-label^=People]');
        const show = isConnected => {
          tile.hidden = !isConnected;
          count.setAttribute('aria-label', `People - ${isConnected ? 2 : 1} joined`);
        };
        {{Replacing}}
        </script>
        """;

    /// <summary>While the connection is lost, the page shows nothing of the call, but its own progress and a way out. One of two people leaves meanwhile.</summary>
    public static string RemovesTheCall { get; } = $$"""
        <!doctype html><title>Board</title><body></body>
        <script>
        {{Script}}
        const people = ['Sefa Koç', 'Lena Aalto'];
        const call = () => `<header>Board, Mondays</header>
          ${people.map(name => `<div data-participant-id="${name}"><div data-self-name="${name}" class="notranslate">${name}</div></div>`).join('')}
          <footer><button aria-label="Turn on microphone">Mic</button><button aria-label="Leave call" onclick="leave()">Leave</button>
          <button aria-label="People - ${people.length + 1} joined">${people.length + 1}</button></footer>`;
        const lost = seconds => `<h1>We are trying to get you back in</h1><p>For ${seconds} seconds now</p><button onclick="leave()">Return to home screen</button>`;
        const leave = () => document.body.innerHTML = '<h1>You left the meeting</h1>';
        let clock = null, isKnown = false;
        document.body.innerHTML = call();
        dial(state => {
          const isConnected = state === 'connected';
          clearInterval(clock);
          clock = null;
          if (isConnected) document.body.innerHTML = call();
          else if (isKnown) {
            let seconds = 0;
            clock = setInterval(() => document.body.innerHTML = lost(++seconds), 1000);
            people.length = 1;
          }
          isKnown ||= isConnected;
        });
        </script>
        """;

    /// <summary>Calls <c>show</c> with whether a connection works.</summary>
    private static string Replacing => $$"""
        {{Script}}
        const call = async () => {
          let isConnected = false, isOver = false;
          const close = await dial(state => {
            isConnected = state === 'connected';
            show(isConnected);
            if (state === 'disconnected') replace();
          });
          const replace = () => {
            if (isOver) return;
            isOver = true;
            close();
            setTimeout(call, 500);
          };
          setTimeout(() => isConnected || replace(), 5000);
        };
        call();
        """;
}
