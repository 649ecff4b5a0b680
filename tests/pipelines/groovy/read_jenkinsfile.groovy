// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Evaluates a Jenkinsfile by Groovy, with a double of Jenkins that records the calls: a JSON list of {name, arguments, block}.
import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration

class Block {
    List calls = []

    Object methodMissing(String name, Object given) {
        List all = (given as Object[]).toList()
        Map call = [name: name, arguments: all.findAll { !(it instanceof Closure) }]
        all.findAll { it instanceof Closure }.each { Closure inner ->
            Block block = new Block()
            inner.delegate = block
            inner.resolveStrategy = Closure.DELEGATE_FIRST
            inner.call()
            call.block = block.calls
        }
        calls << call
        return call
    }

    void propertyMissing(String name, Object value) {
        calls << [name: '=', arguments: [name, value]]
    }
}

GroovyShell shell = new GroovyShell(new CompilerConfiguration(scriptBaseClass: DelegatingScript.name))
DelegatingScript script = (DelegatingScript) shell.parse(new File(args[0]))
Block top = new Block()
script.setDelegate(top)
script.run()
println JsonOutput.toJson(top.calls)
